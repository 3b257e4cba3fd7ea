"""Plans, subscriptions, rules of rate limits; networks that a key may be used from."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_email_in_lower_case'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='allowed_networks',
            field=models.JSONField(blank=True, default=list, help_text='networks it may be used from; none: from anywhere'),
        ),
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(help_text='stable, for programs', max_length=40, unique=True)),
                ('title', models.CharField(max_length=60)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('is_default', models.BooleanField(default=False, help_text='of everybody without a subscription, and of anonymous callers')),
                ('is_unlimited', models.BooleanField(default=False, help_text='of rate or quota: for services', verbose_name='no limits')),
                ('is_public', models.BooleanField(default=True, help_text='shown in the list of plans')),
                ('requests_per_minute', models.PositiveIntegerField(blank=True, null=True)),
                ('api_per_minute', models.PositiveIntegerField(blank=True, null=True, verbose_name='API requests per minute')),
                ('streams_per_minute', models.PositiveIntegerField(blank=True, null=True, verbose_name='streams opened per minute')),
                ('leases_at_once', models.PositiveIntegerField(blank=True, null=True)),
                ('jobs_at_once', models.PositiveIntegerField(blank=True, null=True)),
                ('jobs_per_day', models.PositiveIntegerField(blank=True, null=True)),
            ],
            options={
                'ordering': ('pk',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='plan_default_once')],
            },
        ),
        migrations.CreateModel(
            name='RateLimitRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(help_text='e.g. api, sign_in, export', max_length=40, unique=True)),
                ('paths', models.JSONField(default=list, help_text='patterns, e.g. ["/api/proxies/export"]; * one step, ** any number')),
                ('methods', models.JSONField(blank=True, default=list, help_text='e.g. ["POST"]; none: all methods')),
                ('amount', models.PositiveIntegerField(help_text='requests allowed')),
                ('per_s', models.PositiveIntegerField(default=60, verbose_name='in seconds')),
                ('by', models.CharField(choices=[('caller', 'Key, else user, else address'), ('address', 'Address')], default='caller', max_length=10, verbose_name='counted by')),
                ('raised_by', models.CharField(blank=True, choices=[('requests_per_minute', 'Requests per minute'), ('api_per_minute', 'API requests per minute'), ('streams_per_minute', 'Streams opened per minute')], help_text="the number of the caller's plan that replaces the amount", max_length=20)),
                ('is_on', models.BooleanField(default=True, help_text='off: the rule of the settings holds, where there is one')),
            ],
            options={
                'ordering': ('name',),
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gte', 1), ('per_s__gte', 1)), name='rate_limit_rule_allows_something')],
            },
        ),
        migrations.CreateModel(
            name='RateLimitSwitch',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('is_on', models.BooleanField(default=True, verbose_name='rate limits hold')),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='rate_limit_switch_once')],
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='accounts.plan')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='subscription', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('user',),
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('started_at')), _connector='OR'), name='subscription_ends_after_its_start')],
            },
        ),
    ]
