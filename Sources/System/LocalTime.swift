import Basics
import Glibc

/// The machine's time zone.
public enum LocalTime {
    /// Minutes that local time is ahead of UTC at a moment.
    public static func offsetMinutes(at moment: DateTime) -> Int {
        var seconds = time_t(moment.milliseconds / 1000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return 0 }
        return parts.tm_gmtoff / 60
    }
}
