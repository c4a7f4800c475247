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
    /// The last messages, the newest first.
    var news: [News] = []
    /// The last messages of others, the newest first; each is announced once.
    var incoming: [News] = []
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
    /// Who is there, or for whom it is.
    var who = ""
    /// What the desk says of it.
    var notice: String?
    var walkSequence: Int
}

/// A message as the screens show it.
package struct News: Sendable, Hashable {
    var id: String
    var time: String
    /// Who wrote it; nil for the desk.
    var who: String?
    /// What it says; the desk's words are English.
    var text: String
    /// Whom it went to, where this person wrote it to somebody.
    var to: String?
}
