/// One thing that was checked of a database.
public struct VerifyFinding: Sendable, Hashable {
    /// What was checked.
    public let check: String
    /// How many rows were looked at.
    public var examined: Int
    /// What is wrong, the first of it; empty where nothing is.
    public var problems: [String]
    /// Whether what was found is worth knowing and no damage.
    public var isOnlyNote = false

    /// Puts one together.
    public init(check: String, examined: Int, problems: [String], isOnlyNote: Bool = false) {
        self.check = check
        self.examined = examined
        self.problems = problems
        self.isOnlyNote = isOnlyNote
    }

    /// Whether something is damaged.
    public var isFault: Bool { !problems.isEmpty && !isOnlyNote }
}
