"""One condition grammar for views, rules, policies and reports: parse, evaluate, explain (behaviour V-1)."""
