"""What TF.js 4.22 can load and train: the layers by their class names."""

# Those that @tensorflow/tfjs-layers 4.22.0 registers, without those whose weights it makes only when it runs.
LAYERS = frozenset({
    "Activation", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "BatchNormalization", "Bidirectional", "CategoryEncoding", "CenterCrop", "Concatenate", "Conv1D", "Conv2D",
    "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM2D", "Cropping2D", "Dense", "DepthwiseConv2D", "Dot",
    "Dropout", "ELU", "Embedding", "Flatten", "Functional", "GRU", "GRUCell", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "InputLayer",
    "LSTM", "LSTMCell", "LayerNormalization", "LeakyReLU", "Masking", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "Maximum", "Minimum", "Model", "Multiply", "PReLU", "Permute", "RNN", "RandomHeight", "RandomWidth", "ReLU",
    "RepeatVector", "Rescaling", "Reshape", "Resizing", "SeparableConv2D", "Sequential", "SimpleRNN", "SimpleRNNCell",
    "Softmax", "SpatialDropout1D", "StackedRNNCells", "ThresholdedReLU", "TimeDistributed", "UpSampling2D",
    "ZeroPadding2D",
})  # fmt: skip
MODELS = frozenset({"Sequential", "Functional", "Model"})
# After these the last axis is as long as before.
KEEPING = frozenset({
    "Activation", "AlphaDropout", "BatchNormalization", "Dropout", "ELU", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "LayerNormalization", "LeakyReLU", "Masking", "PReLU", "ReLU", "Softmax", "SpatialDropout1D", "ThresholdedReLU",
})  # fmt: skip
