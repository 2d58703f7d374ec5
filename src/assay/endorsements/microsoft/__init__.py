"""What Microsoft signs: the launch measurements of the utility machines of confidential containers."""
