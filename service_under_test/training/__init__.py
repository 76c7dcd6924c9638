"""Makes the model artifacts: draws the data, trains, exports. Never part of the image."""
