"""Lists that are handed in lie in parts, so that nobody holds a whole one."""

import django.db.models.deletion
from django.db import migrations, models

import project.core.encryption


class Migration(migrations.Migration):
    """A table of parts; the column of whole lists stays for uploads that wait."""

    dependencies = [("proxies", "0014_imports_by_name")]

    operations = [
        migrations.AlterField(
            model_name="importupload",
            name="text",
            field=project.core.encryption.EncryptedTextField(
                blank=True,
                default="",
                help_text="the whole list, where a former release took it in",
            ),
        ),
        migrations.CreateModel(
            name="ImportPart",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "upload_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="counted from 0")),
                ("text", project.core.encryption.EncryptedTextField()),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="proxies.importupload",
                    ),
                ),
            ],
            options={"ordering": ("upload_id", "number")},
        ),
    ]
