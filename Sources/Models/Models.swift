// Model, fields, predicates, sorts, scalars and schema values.
