"""Drawn actions: people who wave, walk, jump and more, as the keypoints that a pose estimator would see."""
