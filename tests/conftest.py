"""Settings of all tests."""

from hypothesis import settings

# No test asserts a time: a busy machine would fail it.
settings.register_profile('without_deadline', deadline=None)
settings.load_profile('without_deadline')
