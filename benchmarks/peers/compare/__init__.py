"""Side by side: scstd and other iSCSI targets under the same load on the same core."""
