"""Models of Keras 3 and Keras 2 in, trained ones out: what stands between them and the topology that pages train."""
