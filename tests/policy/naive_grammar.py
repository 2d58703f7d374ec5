"""The grammar of policy-language section 3 for lark, written for the naive reader only."""

GRAMMAR = r"""
start: version configuration? authorization issuance?
version: VERSION_WORD "=" VERSION ";"
configuration: CONFIGURATION_WORD "{" configuration_rule* "}" ";"
authorization: AUTHORIZATION_WORD "{" authorization_rule* "}" ";"
issuance: ISSUANCE_WORD "{" issuance_rule* "}" ";"
configuration_rule: conditions "=>" issueproperty ";" -> rule
authorization_rule: conditions "=>" (permit | deny | add | issue) ";" -> rule
issuance_rule: conditions "=>" (add | issue | issueproperty) ";" -> rule
conditions: (condition ("&&" condition)*)?
condition: NEGATION? (NAME ":")? "[" test ("," test)* "]"
test: PROPERTY COMPARISON expression
permit: "permit" "(" ")"
deny: "deny" "(" ")"
add: "add" "(" argument ")"
issue: "issue" "(" argument ")"
issueproperty: "issueproperty" "(" argument ")"
argument: "claim" "=" NAME -> copied
        | assignment ("," assignment)* -> made
assignment: PROPERTY "=" expression
expression: STRING -> string
          | INTEGER -> integer
          | BOOLEAN -> boolean
          | NAME "." PROPERTY -> reference
          | NAME "(" (expression ("," expression)*)? ")" -> call
VERSION_WORD.3: /version\b/i
CONFIGURATION_WORD.3: /configurationrules\b/i
AUTHORIZATION_WORD.3: /authorizationrules\b/i
ISSUANCE_WORD.3: /issuancerules\b/i
PROPERTY.3: /(type|valueType|value|issuer)\b/
BOOLEAN.3: /(true|false)\b/
NEGATION: "!"
COMPARISON: "==" | "!=" | "<=" | ">=" | "<" | ">"
VERSION.2: /[0-9]+\.[0-9]+/
INTEGER: /-?[0-9]+/
NAME: /[A-Za-z_][A-Za-z0-9_]*/
STRING: /"(?:[^"\\]|\\.)*"/s
%ignore /[ \t\r\n\f]+/
%ignore /\/\/[^\r\n]*/
"""
