import WarehouseModels

/// What is around: the person, the session and the next bins.
package struct Floor: Sendable {
    var person: Person?
    var session: CountSession?
    /// The session that this person last counted in, where it is closed meanwhile.
    var closed: CountSession?
    var names: [String: String] = [:]
    /// Whom a message can go to, those who count now first.
    var mates: [(id: String, name: String)] = []
    /// Who counts with this person at this terminal.
    var companion: String?
    /// How many bins this person opened in the last twelve hours, and how many that is an hour.
    var today: (bins: Int, hourly: Int)?
    var tasks: [TaskRow] = []
    var place = ""
    var done = ""
    var crew: [CrewRow] = []
    var news: [[String: String]] = []
    /// The newest message of somebody else, to be announced once.
    var newest: (id: String, who: String, text: String)?
    /// Whether ``place`` and ``done`` were looked up, which only reading jobs do: it costs a walk over the session.
    var isWhole = false
}

/// A colleague who counts now.
struct CrewRow: Sendable, Hashable {
    var personID: String
    var name: String
    var bin: String
    /// How many bins that person has opened in this session; nil where it was not looked up.
    var bins: Int?
}

/// One of the next bins.
package struct TaskRow: Sendable, Hashable {
    var taskID: String
    var binID: String
    var code: String
    var note: String
    var walkSequence: Int
}
