// The studies that come with the kit: importing this file registers them.
import './rifle';
import './forgetting';
