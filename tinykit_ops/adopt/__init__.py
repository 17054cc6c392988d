"""Taking over an install that was made by hand, and the way back."""
