"""Working with a faceset: look at it, sort it, clean it, split it, merge it, draw it, export it.

One module a command, each with one public function; what several of them need stands in `identities`,
`judging`, `sheets` and `folders`.
"""
