"""Facts in: what Patreon says of campaigns, tiers and memberships is read, judged and stored. Plans no role."""
