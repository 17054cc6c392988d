"""The agents of many hosts, asked at once over pyinfra's connectors."""
