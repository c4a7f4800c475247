/// What the terminal can say to the ear; told apart by rhythm, since other people's beeps sound alike.
public enum Sound: String, CaseIterable, Hashable, Sendable {
    /// A scan or a quantity was taken.
    case accepted
    /// It was added to what stood there already.
    case added
    /// Look at the screen.
    case attention
    /// Stop: something was refused. Repeats until it is acknowledged.
    case stop
}

/// How each sound is made: what is written to the terminal, and the pause after it.
public struct SoundSettings: Sendable {
    /// One beat of a rhythm.
    public struct Beat: Hashable, Sendable {
        /// Written to the terminal as it is: a BEL, or a sequence that drives the handheld's buzzer.
        public var sequence: String
        /// Before the next beat.
        public var pauseMilliseconds: Int64

        /// Makes a beat.
        public init(_ sequence: String, pauseMilliseconds: Int64 = 0) {
            self.sequence = sequence
            self.pauseMilliseconds = pauseMilliseconds
        }
    }

    /// The rhythm of each sound.
    public var rhythms: [Sound: [Beat]]
    /// The pause after which ``Sound/stop`` comes again; 0 for once.
    public var repeatMilliseconds: Int64

    /// Makes settings.
    public init(rhythms: [Sound: [Beat]], repeatMilliseconds: Int64 = 1_500) {
        self.rhythms = rhythms
        self.repeatMilliseconds = repeatMilliseconds
    }

    /// Bells: one, two quick ones, two slow ones, three even ones again and again.
    public static let standard: SoundSettings = {
        let bell = "\u{7}"
        return SoundSettings(rhythms: [
            .accepted: [Beat(bell)],
            .added: [Beat(bell, pauseMilliseconds: 90), Beat(bell)],
            .attention: [Beat(bell, pauseMilliseconds: 400), Beat(bell)],
            .stop: [Beat(bell, pauseMilliseconds: 200), Beat(bell, pauseMilliseconds: 200), Beat(bell)],
        ])
    }()

    /// No sound at all.
    public static let silent = SoundSettings(rhythms: [:], repeatMilliseconds: 0)
}

/// Plays rhythms; pure: says what to write now and when to ask again.
struct SoundPlayer {
    var settings: SoundSettings
    private var beats: ArraySlice<SoundSettings.Beat> = []
    private var sound: Sound?
    /// When ``due(at:)`` has something; nil in silence.
    private(set) var deadline: Int64?

    init(settings: SoundSettings) { self.settings = settings }

    /// Begins a sound; the one that plays ends.
    mutating func play(_ sound: Sound, at time: Int64) {
        self.sound = sound
        beats = (settings.rhythms[sound] ?? [])[...]
        deadline = beats.isEmpty ? nil : time
    }

    /// Ends what repeats. A rhythm that was begun is finished.
    mutating func silence() {
        if sound == .stop {
            beats = []
            deadline = nil
        }
        sound = nil
    }

    /// What is to be written by now.
    mutating func due(at time: Int64) -> String {
        var text = ""
        while let deadline, deadline <= time {
            guard let beat = beats.popFirst() else {
                self.deadline = nil
                if sound == .stop, settings.repeatMilliseconds > 0 {
                    beats = (settings.rhythms[.stop] ?? [])[...]
                    if !beats.isEmpty { self.deadline = time + settings.repeatMilliseconds }
                }
                break
            }
            text += beat.sequence
            self.deadline = time + beat.pauseMilliseconds
            if beats.isEmpty, sound != .stop { self.deadline = nil }
            if beat.pauseMilliseconds > 0 { break }
        }
        return text
    }
}
