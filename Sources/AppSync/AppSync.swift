// The AppSync wire, pure: operation names, documents, filters, frames, errors.
