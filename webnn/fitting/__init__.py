"""`webnn.fit`: from a compiled Keras model and arrays to a run in people's browsers, and back to a trained model."""
