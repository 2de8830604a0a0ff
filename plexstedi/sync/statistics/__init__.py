"""Statistics for the page: suppliers over time, and open orders by stage."""
