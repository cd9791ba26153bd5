"""Features of pictures: computing them, and the file that keeps them."""
