"""Controls that redo the segment being made, and controls that came too late."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("synthesis", "0001_initial")]

    operations = [
        migrations.AddField("control", "redo", models.BooleanField(default=False)),
        migrations.AddField("control", "lapsed_at", models.DateTimeField(blank=True, null=True)),
    ]
