"""Where proxies come from: sources, what each named, and uploads on their way in."""

from django.core.validators import MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from project.core.encryption import EncryptedTextField
from proxies.choices import FetchError, FetchOutcome, ListFormat, Scheme, SourceKind
from proxies.models.pool import Proxy
from proxies.querysets import ProxySourceQuerySet


class ProxySource(models.Model):
    """A list of proxies that somebody publishes, or that was pasted in."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=4, choices=SourceKind, default=SourceKind.URL)
    url = models.CharField(
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["http", "https"])],
        verbose_name="URL",
    )
    text = EncryptedTextField(blank=True, default="", help_text="the list itself")
    format = models.CharField(max_length=5, choices=ListFormat, default=ListFormat.AUTO)
    default_protocol = models.CharField(
        max_length=6,
        choices=Scheme,
        default=Scheme.HTTP,
        help_text="of entries that don't say theirs",
    )
    headers = EncryptedTextField(
        blank=True, default="", help_text="sent with each request; one `Name: value` a line"
    )
    interval_s = models.PositiveIntegerField(
        default=1800, validators=[MinValueValidator(60)], help_text="seconds between two fetches"
    )
    is_enabled = models.BooleanField(default=True, verbose_name="enabled")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    next_fetch_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_fetch_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_outcome = models.CharField(max_length=7, choices=FetchOutcome, blank=True, editable=False)
    last_error_type = models.CharField(max_length=7, choices=FetchError, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    last_accepted = models.PositiveIntegerField(default=0, editable=False)
    last_new = models.PositiveIntegerField(default=0, editable=False)
    last_rejected = models.PositiveIntegerField(default=0, editable=False)
    last_samples = models.JSONField(
        default=list, blank=True, editable=False, help_text="some refused lines, without secrets"
    )
    last_duration_s = models.FloatField(null=True, blank=True, editable=False)
    failures_in_row = models.PositiveIntegerField(default=0, editable=False)

    objects = ProxySourceQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="source_has_what_its_kind_needs",
                condition=(Q(kind=SourceKind.URL) & ~Q(url=""))
                | (Q(kind=SourceKind.TEXT) & Q(url="")),
                violation_error_message="A fetched source has a URL; a pasted one has none.",
            ),
            models.CheckConstraint(
                name="source_interval_is_a_minute_at_least", condition=Q(interval_s__gte=60)
            ),
        ]
        indexes = [
            # fetching: the due ones
            models.Index(fields=["next_fetch_at"], name="source_due", condition=Q(is_enabled=True)),
        ]

    def __str__(self) -> str:
        return self.name


class SourceEntry(models.Model):
    """A source named a proxy."""

    source = models.ForeignKey(ProxySource, models.CASCADE, related_name="entries")
    proxy = models.ForeignKey(Proxy, models.CASCADE, related_name="entries")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        """Rules kept by the database."""

        verbose_name_plural = "source entries"
        ordering = ("source", "proxy")
        constraints = [
            models.UniqueConstraint(fields=["source", "proxy"], name="source_entry_once"),
        ]

    def __str__(self) -> str:
        return f"proxy {self.proxy_id} in list {self.source_id}"


class ImportUpload(models.Model):
    """A list that was handed in, until its run has taken it over.

    A run's payload would be no place for the passwords in it.
    """

    text = EncryptedTextField(
        blank=True, default="", help_text="the whole list, where a former release took it in"
    )
    format = models.CharField(max_length=5, choices=ListFormat, default=ListFormat.AUTO)
    default_protocol = models.CharField(max_length=6, choices=Scheme, default=Scheme.HTTP)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Order of lists."""

        verbose_name = "import"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"upload {self.pk}"


class ImportPart(models.Model):
    """Some letters of a list that was handed in: whoever reads it holds one part at a time."""

    pk = models.CompositePrimaryKey("upload_id", "number")
    upload = models.ForeignKey(ImportUpload, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField(help_text="counted from 0")
    text = EncryptedTextField()

    class Meta:
        """Order of parts."""

        ordering = ("upload_id", "number")

    def __str__(self) -> str:
        return f"part {self.number} of upload {self.upload_id}"
