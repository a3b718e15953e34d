"""The Grafana dashboards of deploy/, described with Grafana's own builder library and written as JSON."""
