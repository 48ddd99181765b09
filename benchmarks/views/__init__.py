"""What lists cost when there are a million tickets."""
