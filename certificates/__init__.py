"""The document engine: `certificates/` is the paper, `lms/credentials/` is the register."""
