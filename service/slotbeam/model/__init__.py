"""The sequence model at serving: protocol, input builder, onnxruntime."""
