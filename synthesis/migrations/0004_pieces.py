from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('synthesis', '0003_worker_orders'),
    ]

    operations = [
        migrations.AddField(
            model_name='segment',
            name='pieces',
            field=models.JSONField(blank=True, null=True),
        ),
    ]
