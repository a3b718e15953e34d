"""The one read side: charge points, transactions, reports and events as API, plugins and commands show them."""
