"""What the supervisor of `manage.py up` can be told."""

from project.settings import env

#: A child that holds more memory than this is stopped and started again, MB.
CHILD_MEMORY_MB = env.whole("CHILD_MEMORY_MB", 1024, at_least=64)
