import Basics
import DataStore
import Models
import Screens
import Terminal

/// Work on the store that an app's machine asks for: a value that says what, performed in one transaction.
///
/// Jobs are performed in the order in which they were asked for. A job that throws changed nothing.
package protocol StoreJob: Sendable {
    associatedtype Answer: Sendable
    /// Whether it writes; a reading job runs on a reader and never waits for a writer.
    var writes: Bool { get }
    /// The person its outbox entries are made under; nil for the device itself.
    var identity: String? { get }
    /// Does the work; called once, synchronously, inside the transaction.
    func perform(in transaction: StoreTransaction, _ environment: JobEnvironment) throws -> Answer
}

/// What a job needs beside the store.
package struct JobEnvironment: Sendable {
    /// The clocks.
    package let time: any TimeSource
    /// For ids that are no sequence.
    package let random: any RandomSource
    /// This terminal's code, unique at the hub.
    package let deviceCode: String
    /// How far the hub's clock is ahead of ours, as last measured.
    package let clockOffsetMilliseconds: Int?
    /// SHA-256 in hexadecimal.
    package let sha256: @Sendable ([UInt8]) -> String

    package init(
        time: any TimeSource, random: any RandomSource, deviceCode: String, clockOffsetMilliseconds: Int?,
        sha256: @escaping @Sendable ([UInt8]) -> String
    ) {
        self.time = time
        self.random = random
        self.deviceCode = deviceCode
        // A clock that is off by more than an Int of the schema holds (24 days) stops nobody from counting.
        self.clockOffsetMilliseconds = clockOffsetMilliseconds.map { min(max($0, Int(Int32.min)), Int(Int32.max)) }
        self.sha256 = sha256
    }
}

/// When something happened: the wall clock for people, the uptime for ages.
package struct Moment: Sendable, Hashable {
    /// The wall clock.
    package var wall: DateTime
    /// Milliseconds since the machine started.
    package var uptime: Int64

    package init(wall: DateTime, uptime: Int64) {
        self.wall = wall
        self.uptime = uptime
    }

    package init(_ time: any TimeSource) {
        self.init(wall: time.now(), uptime: time.uptime())
    }
}

/// The link to the hub and what waits for it, as the screens show it.
package struct LinkState: Sendable, Hashable {
    /// Whether this store syncs at all; a local-only terminal shows no age.
    package var isSyncing = false
    /// Whether the link is up.
    package var isOnline = false
    /// The uptime at the last word from the hub; nil before the first.
    package var lastContactUptime: Int64?
    /// Mutations not yet at the hub, all people's.
    package var unsent = 0
    /// The same by person id; the empty key is the device itself.
    package var unsentByPerson: [String: Int] = [:]
    /// Mutations the hub refused.
    package var parked = 0
    /// Whether something was sent and the hub has not answered it yet.
    package var isAsking = false
    /// The reason why sync is paused, such as a refused key; nil while it is not.
    package var pausedReason: String?
    /// When the sign-in at the hub ends that it renews no more, so that only `bincount login` helps; nil while it does.
    package var signInEnds: DateTime?
    /// How far the hub's clock is ahead.
    package var clockOffsetMilliseconds: Int?
    /// First sync: rows fetched so far by model, and whether that model is complete.
    package var progress: [String: SyncProgress] = [:]

    package init() {}

    /// How far one model's first sync is.
    package struct SyncProgress: Sendable, Hashable {
        package var rows: Int
        package var isComplete: Bool

        package init(rows: Int, isComplete: Bool) {
            self.rows = rows
            self.isComplete = isComplete
        }
    }
}

/// What an app's machine is told.
package enum AppEvent<Answer: Sendable>: Sendable {
    /// Comes first, once.
    case started
    /// A key or a scan.
    case input(Input)
    /// A job's answer, in the order of the jobs.
    case answered(job: Int, Result<Answer, JobFailure>)
    /// Somebody, here or elsewhere, changed records of these models; answered with reading jobs if it matters.
    case changed(models: Set<String>)
    case link(LinkState)
    /// About once a second: ages grow.
    case tick
    case resized(GridSize)
    /// The program ends now: what is only typed yet is to be kept.
    case ending
}

/// Why a job failed, for the person at the screen.
package struct JobFailure: Error, Sendable, Hashable {
    /// One line that says what to do.
    package let text: String

    package init(_ text: String) {
        self.text = text
    }
}

/// What an app's machine wants done.
package enum AppEffect<Job: StoreJob>: Sendable {
    /// Perform a job; its answer comes back with the same number.
    case perform(job: Int, Job)
    case sound(Sound)
    /// Somebody signed in, or nobody is any more: the link fetches what this person may read.
    case personChanged(String?)
    case quit
}

/// An app as a value: events in, effects out, a picture at any time. No clock, no disk, no waiting.
///
/// While a reading job decides what the next input means, a machine queues further input itself and shows what was
/// typed: no key and no scan is lost or waits to be echoed.
package protocol AppMachine {
    associatedtype Job: StoreJob
    /// Takes one event.
    mutating func handle(_ event: AppEvent<Job.Answer>, at moment: Moment) -> [AppEffect<Job>]
    /// The screen to show, and what to put in it.
    func view(at moment: Moment) -> AppView
    /// The language of the person in front of it, as its catalog is named.
    var language: String { get }
}

/// A screen by id with its values.
package struct AppView: Sendable, Hashable {
    /// The screen's id, as its file names it.
    package var screen: String
    /// Values, focus and message.
    package var state: ScreenState
    /// Whether a single key acts at once: the first character of a scan must not be taken for one.
    package var actsAtOnce: Bool

    package init(screen: String, state: ScreenState, actsAtOnce: Bool = false) {
        self.screen = screen
        self.state = state
        self.actsAtOnce = actsAtOnce
    }
}
