"""The load test that anybody can run: ``manage.py db_stress``."""
