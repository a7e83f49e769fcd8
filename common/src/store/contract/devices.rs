//! Where a device starts that is seen for the first time.

use super::setup::{
    LAPTOP, PHONE, ann_and_bob, behind, cursor, done, group, join, move_cursor, register, request,
    say_freely,
};
use crate::id::{API_DEVICE_FIRST, ConvId, DeviceId, UserId};
use crate::store::Store;

async fn conversation(store: &dyn Store, count: u32) -> (UserId, UserId, ConvId) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    for number in 0..count {
        done(store, say_freely(ann, conv, &number.to_string())).await;
    }
    (ann, bob, conv)
}

pub async fn the_first_device_starts_where_the_user_may(store: &dyn Store) {
    let (ann, bob, conv) = conversation(store, 3).await;
    let cars = group(store, ann, "cars").await;
    done(store, join(bob, cars, "j")).await;
    done(store, register(bob, LAPTOP)).await;
    assert_eq!(cursor(store, bob, LAPTOP, conv).await, 0);
    assert_eq!(
        behind(store, bob, LAPTOP).await,
        [(conv, 0, 3), (ConvId::group(cars), 1, 2)]
    );
}

pub async fn a_new_device_starts_at_the_furthest(store: &dyn Store) {
    let (ann, bob, conv) = conversation(store, 4).await;
    let cars = group(store, ann, "cars").await;
    done(store, join(bob, cars, "j")).await;
    done(store, request(ann, bob, "r")).await;
    let (log, inbox) = (ConvId::group(cars), ConvId::inbox(bob));
    for (device, seq) in [(LAPTOP, 2), (DeviceId(4), 3), (DeviceId(3), 1)] {
        done(store, register(bob, device)).await;
        done(store, move_cursor(bob, device, conv, seq)).await;
    }
    done(store, register(bob, PHONE)).await;
    assert_eq!(cursor(store, bob, PHONE, conv).await, 3);
    // Where no device was, it starts where the user may.
    assert_eq!(cursor(store, bob, PHONE, log).await, 1);
    assert_eq!(cursor(store, bob, PHONE, inbox).await, 0);
    assert_eq!(
        behind(store, bob, PHONE).await,
        [(conv, 3, 4), (log, 1, 2), (inbox, 0, 1)]
    );
    // What the one device receives later, the other still has to.
    done(store, move_cursor(bob, LAPTOP, conv, 4)).await;
    assert_eq!(cursor(store, bob, PHONE, conv).await, 3);
    // Nobody else was touched.
    assert_eq!(cursor(store, ann, PHONE, conv).await, 0);
}

pub async fn a_known_device_stays_where_it_is(store: &dyn Store) {
    let (_, bob, conv) = conversation(store, 4).await;
    done(store, register(bob, PHONE)).await;
    done(store, register(bob, LAPTOP)).await;
    done(store, move_cursor(bob, LAPTOP, conv, 3)).await;
    done(store, register(bob, PHONE)).await;
    assert_eq!(cursor(store, bob, PHONE, conv).await, 0);
    done(store, move_cursor(bob, PHONE, conv, 1)).await;
    done(store, register(bob, PHONE)).await;
    assert_eq!(cursor(store, bob, PHONE, conv).await, 1);
}

pub async fn a_device_is_a_number_of_64_bits(store: &dyn Store) {
    let (_, bob, conv) = conversation(store, 4).await;
    let devices = [0, 255, 1 << 63, u64::MAX - 1, u64::MAX].map(DeviceId);
    for (device, seq) in devices.into_iter().zip([1, 2, 3, 4, 4]) {
        done(store, move_cursor(bob, device, conv, seq)).await;
    }
    for (device, seq) in devices.into_iter().zip([1, 2, 3, 4, 4]) {
        assert_eq!(cursor(store, bob, device, conv).await, seq, "{device:?}");
    }
    assert_eq!(behind(store, bob, devices[2]).await, [(conv, 3, 4)]);
}

pub async fn a_device_that_moved_before_it_was_known(store: &dyn Store) {
    let (_, bob, conv) = conversation(store, 4).await;
    done(store, move_cursor(bob, PHONE, conv, 2)).await;
    done(store, register(bob, PHONE)).await;
    assert_eq!(cursor(store, bob, PHONE, conv).await, 2);
    done(store, move_cursor(bob, LAPTOP, conv, 3)).await;
    done(store, register(bob, LAPTOP)).await;
    assert_eq!(cursor(store, bob, LAPTOP, conv).await, 3);
}

pub async fn a_device_that_acknowledges_starts_where_the_user_may(store: &dyn Store) {
    let (_, bob, conv) = conversation(store, 4).await;
    done(store, register(bob, LAPTOP)).await;
    done(store, move_cursor(bob, LAPTOP, conv, 3)).await;
    let web = DeviceId(API_DEVICE_FIRST);
    done(store, register(bob, web)).await;
    assert_eq!(cursor(store, bob, web, conv).await, 0);
    assert_eq!(behind(store, bob, web).await, [(conv, 0, 4)]);
    let last_of_the_old = DeviceId(API_DEVICE_FIRST - 1);
    done(store, register(bob, last_of_the_old)).await;
    assert_eq!(cursor(store, bob, last_of_the_old, conv).await, 3);
}
