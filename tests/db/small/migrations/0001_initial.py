"""Makes the table and a row, in two steps as migrations do."""

from django.db import migrations, models


def add_note(apps, schema_editor):
    apps.get_model("small", "Note").objects.create(text="by a migration")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[("id", models.BigAutoField(primary_key=True)), ("text", models.CharField(max_length=50))],
        ),
        migrations.RunPython(add_note),
        migrations.AlterField("Note", "text", models.CharField(max_length=50, db_index=True)),
        migrations.AlterField("Note", "text", models.CharField(max_length=50)),
    ]
