//! The console: what the operator looks at. Knows the engine only through `client`.
