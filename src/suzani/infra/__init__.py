"""Infrastructure: settings, PostgreSQL, migrations, jobs, and the processes of the platform."""
