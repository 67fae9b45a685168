//! The verbs: one file per verb group. They know the engine only through `client`.
