import Testing

@testable import Terminal

@Suite("Sounds")
struct SoundTests {
    /// When a player writes, over three seconds.
    private func beats(_ sound: Sound, silenceAt: Int64? = nil) -> [Int64] {
        var player = SoundPlayer(settings: .standard)
        player.play(sound, at: 0)
        var times: [Int64] = []
        for time in Int64(0)..<3_000 {
            if time == silenceAt { player.silence() }
            if !player.due(at: time).isEmpty { times.append(time) }
        }
        return times
    }

    @Test("differ by their rhythm")
    func differ() {
        #expect(beats(.accepted) == [0])
        #expect(beats(.added) == [0, 90])
        #expect(beats(.attention) == [0, 400])
        #expect(Array(beats(.stop).prefix(3)) == [0, 200, 400])
    }

    @Test("repeat only where something was refused, until it is acknowledged")
    func repeats() {
        #expect(beats(.stop).count > 3)
        #expect(beats(.stop, silenceAt: 500).count == 3)
        #expect(beats(.added, silenceAt: 50) == [0, 90])
    }

    @Test("ask to be woken only while they play")
    func deadlines() {
        var player = SoundPlayer(settings: .standard)
        #expect(player.deadline == nil)
        player.play(.added, at: 10)
        #expect(player.deadline == 10)
        _ = player.due(at: 10)
        #expect(player.deadline == 100)
        _ = player.due(at: 100)
        #expect(player.deadline == nil)
        var silent = SoundPlayer(settings: .silent)
        silent.play(.stop, at: 0)
        #expect(silent.deadline == nil)
    }
}
