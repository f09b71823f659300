"""What brings the extension to Lambda: the tree under `/opt`, and later the layer that holds it."""
