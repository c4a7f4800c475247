// Ends a mounted file system at once, as when the power goes: what is not on its device is lost. Needs root.
// usage: powercut MOUNTPOINT
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

// FS_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, which no header of the C library names.
#define SHUTDOWN _IOR('X', 125, uint32_t)

int main(int count, char **words) {
    uint32_t how = 2;
    int file = count == 2 ? open(words[1], O_RDONLY) : -1;
    if (file < 0 || ioctl(file, SHUTDOWN, &how)) {
        perror("powercut");
        return 1;
    }
    return 0;
}
