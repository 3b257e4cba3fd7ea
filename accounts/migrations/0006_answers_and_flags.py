"""Answers kept for requests that are sent again, and feature flags."""

import project.core.encryption
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_signing_in'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeptAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('caller', models.CharField(help_text='key:… or user:…', max_length=40)),
                ('key', models.CharField(max_length=200)),
                ('digest', models.CharField(help_text='of method, address and body', max_length=64)),
                ('token', models.UUIDField(help_text='whose claim it is while the work goes on')),
                ('status', models.PositiveSmallIntegerField(help_text='empty: still at work', null=True)),
                ('content_type', models.CharField(blank=True, max_length=100)),
                ('body', project.core.encryption.EncryptedTextField(blank=True)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('-created_at',),
                'indexes': [models.Index(fields=['created_at'], name='kept_answer_age')],
                'constraints': [models.UniqueConstraint(fields=('caller', 'key'), name='kept_answer_once')],
            },
        ),
        migrations.CreateModel(
            name='Flag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=60, unique=True)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('everybody', models.BooleanField(default=False)),
                ('staff', models.BooleanField(default=False)),
                ('percent', models.PositiveSmallIntegerField(default=0, help_text='the same users each time', verbose_name='share of users, percent')),
                ('users', models.ManyToManyField(blank=True, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'feature flag',
                'ordering': ('name',),
                'constraints': [models.CheckConstraint(condition=models.Q(('percent__gte', 0), ('percent__lte', 100)), name='flag_percent_is_a_percentage')],
            },
        ),
    ]
