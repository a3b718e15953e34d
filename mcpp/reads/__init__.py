"""The one read side: charge points, transactions, reports and events as API, plugins and commands show them.

Only here are the generated readers called, each on a connection that the pool lends for as long as it takes.
"""
