"""The one read side: charge points, transactions, reports and events as API, plugins and commands show them.

Only here are the generated `Readers` called, which the pool lends for as long as it takes.
"""
