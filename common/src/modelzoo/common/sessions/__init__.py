"""The backends behind `modelzoo.common.session.open_session`, one a file."""
