"""Makes roles match pledges: pure decisions (entitlement, rules, plan, …) in a shell that looks, plans, writes."""
