"""The compiler: graphs, what is known of each op, gradients, rewrites, back ends, records."""
