//! The typed client of `api`: the only way in which console and verbs know the engine.
