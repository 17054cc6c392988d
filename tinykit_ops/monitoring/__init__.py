"""What a Prometheus and a Grafana are given: whom to scrape, alert rules, a dashboard."""
