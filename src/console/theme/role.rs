//! What a style is *for*. Screens ask for a role, themes give it a look; neither knows the other.

macro_rules! roles {
    ($($role:ident $name:literal,)*) => {
        /// A purpose on the screen (screens.md section 9).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Role { $($role,)* }

        impl Role {
            pub const ALL: &'static [Role] = &[$(Role::$role,)*];

            /// The dotted name used in theme files.
            pub const fn name(self) -> &'static str {
                match self { $(Role::$role => $name,)* }
            }
        }
    };
}

roles! {
    Text "text",
    TextMuted "text.muted",
    TextStrong "text.strong",
    TextLink "text.link",
    Surface "surface",
    SurfacePopup "surface.popup",
    Border "border",
    BorderFocus "border.focus",
    BorderProtected "border.protected",
    BadgeRead "badge.read",
    BadgeWrite "badge.write",
    Cursor "cursor",
    CursorUnfocused "cursor.unfocused",
    Mark "mark",
    Match "match",
    MatchCurrent "match.current",
    Key "key",
    KeyDanger "key.danger",
    StateQueued "state.queued",
    StateSent "state.sent",
    StateRunning "state.running",
    StateOk "state.ok",
    StateFailed "state.failed",
    StateTimeout "state.timeout",
    StateOffline "state.offline",
    StateCancelled "state.cancelled",
    StateSkipped "state.skipped",
    GroupNew "group.new",
    GroupAcked "group.acked",
    StreamOut "stream.out",
    StreamErr "stream.err",
    StreamMeta "stream.meta",
    LevelError "level.error",
    LevelWarn "level.warn",
    LevelInfo "level.info",
    DiffAdd "diff.add",
    DiffDel "diff.del",
    DiffHunk "diff.hunk",
    BudgetOk "budget.ok",
    BudgetNear "budget.near",
    BudgetOver "budget.over",
    Device1 "device.1",
    Device2 "device.2",
    Device3 "device.3",
    Device4 "device.4",
    Device5 "device.5",
    Device6 "device.6",
    Device7 "device.7",
    Device8 "device.8",
    SyntaxComment "syntax.comment",
    SyntaxKeyword "syntax.keyword",
    SyntaxString "syntax.string",
    SyntaxNumber "syntax.number",
    SyntaxVariable "syntax.variable",
    SyntaxFunction "syntax.function",
    SyntaxOperator "syntax.operator",
    SyntaxBuiltin "syntax.builtin",
    SyntaxError "syntax.error",
    Spark "spark",
    GaugeFill "gauge.fill",
    GaugeRest "gauge.rest",
}

impl Role {
    pub const DEVICES: [Role; 8] = [
        Role::Device1,
        Role::Device2,
        Role::Device3,
        Role::Device4,
        Role::Device5,
        Role::Device6,
        Role::Device7,
        Role::Device8,
    ];

    /// May a theme file use this key? A role, or the family of one (`state`, `syntax`).
    pub fn known(name: &str) -> bool {
        Self::ALL
            .iter()
            .any(|role| role.name() == name || role.name().strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }
}
