"""From a query to ranked items: snapshot, pipeline, rank."""
